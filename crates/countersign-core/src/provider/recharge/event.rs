//! Recharge's events, by topic.

use super::model::{Address, Charge, Customer, Order, Record, Subscription};
use crate::event::{Json, events};

events! {
    /// An event from Recharge.
    ///
    /// The topics come first, then the resources alone, for deliveries of which the topic is not known.
    pub enum Event {
        /// An address was made.
        "address/created" => AddressCreated(Box<Address>),
        /// An address was changed.
        "address/updated" => AddressUpdated(Box<Address>),
        /// An asynchronous batch was processed.
        "async_batch/processed" => AsyncBatchProcessed(Record),
        /// A selection for a bundle was made.
        "bundle_selection/created" => BundleSelectionCreated(Record),
        /// A selection for a bundle was changed.
        "bundle_selection/updated" => BundleSelectionUpdated(Record),
        /// A selection for a bundle was deleted; only its id is sent.
        "bundle_selection/deleted" => BundleSelectionDeleted(Record),
        /// A customer became active.
        "customer/activated" => CustomerActivated(Box<Customer>),
        /// A customer was made.
        "customer/created" => CustomerCreated(Box<Customer>),
        /// A customer is no longer active.
        "customer/deactivated" => CustomerDeactivated(Box<Customer>),
        /// A customer has another means of payment.
        "customer/payment_method_updated" => CustomerPaymentMethodUpdated(Box<Customer>),
        /// A customer was changed.
        "customer/updated" => CustomerUpdated(Box<Customer>),
        /// A customer was deleted; only its id is sent.
        "customer/deleted" => CustomerDeleted(Box<Customer>),
        /// A charge was made.
        "charge/created" => ChargeCreated(Box<Charge>),
        /// A charge failed.
        "charge/failed" => ChargeFailed(Box<Charge>),
        /// A charge failed for the last time.
        "charge/max_retries_reached" => ChargeMaxRetriesReached(Box<Charge>),
        /// A charge was paid.
        "charge/paid" => ChargePaid(Box<Charge>),
        /// A charge was paid back, in whole or in part.
        "charge/refunded" => ChargeRefunded(Box<Charge>),
        /// A charge was authorised and not yet captured.
        "charge/uncaptured" => ChargeUncaptured(Box<Charge>),
        /// A charge will be due soon.
        "charge/upcoming" => ChargeUpcoming(Box<Charge>),
        /// A charge was changed.
        "charge/updated" => ChargeUpdated(Box<Charge>),
        /// A charge was deleted; only its id is sent.
        "charge/deleted" => ChargeDeleted(Box<Charge>),
        /// A checkout was made.
        "checkout/created" => CheckoutCreated(Record),
        /// A checkout was completed.
        "checkout/completed" => CheckoutCompleted(Record),
        /// A checkout was processed.
        "checkout/processed" => CheckoutProcessed(Record),
        /// A checkout was changed.
        "checkout/updated" => CheckoutUpdated(Record),
        /// A gift was made.
        "gift_purchase/created" => GiftPurchaseCreated(Record),
        /// A gift was redeemed.
        "gift_purchase/redeemed" => GiftPurchaseRedeemed(Record),
        /// A one-time product was made.
        "onetime/created" => OnetimeCreated(Record),
        /// A one-time product was deleted; only its id is sent.
        "onetime/deleted" => OnetimeDeleted(Record),
        /// A one-time product was changed.
        "onetime/updated" => OnetimeUpdated(Record),
        /// An order was ended.
        "order/cancelled" => OrderCancelled(Box<Order>),
        /// An order was made.
        "order/created" => OrderCreated(Box<Order>),
        /// An order was deleted; only its id is sent.
        "order/deleted" => OrderDeleted(Box<Order>),
        /// An order was processed.
        "order/processed" => OrderProcessed(Box<Order>),
        /// An order had its payment captured.
        "order/payment_captured" => OrderPaymentCaptured(Box<Order>),
        /// An order will be due soon.
        "order/upcoming" => OrderUpcoming(Box<Order>),
        /// An order was changed.
        "order/updated" => OrderUpdated(Box<Order>),
        /// An order was fulfilled by the shop.
        "order/success" => OrderSuccess(Box<Order>),
        /// A plan was made.
        "plan/created" => PlanCreated(Record),
        /// A plan was deleted; only its id is sent.
        "plan/deleted" => PlanDeleted(Record),
        /// A plan was changed.
        "plan/updated" => PlanUpdated(Record),
        /// A subscription became active.
        "subscription/activated" => SubscriptionActivated(Box<Subscription>),
        /// A subscription was ended.
        "subscription/cancelled" => SubscriptionCancelled(Box<Subscription>),
        /// A subscription was made.
        "subscription/created" => SubscriptionCreated(Box<Subscription>),
        /// A subscription was deleted; only its id is sent.
        "subscription/deleted" => SubscriptionDeleted(Box<Subscription>),
        /// A subscription will skip a charge.
        "subscription/skipped" => SubscriptionSkipped(Box<Subscription>),
        /// A subscription was changed.
        "subscription/updated" => SubscriptionUpdated(Box<Subscription>),
        /// A subscription no longer skips a charge.
        "subscription/unskipped" => SubscriptionUnskipped(Box<Subscription>),
        /// A subscription is for another product now.
        "subscription/swapped" => SubscriptionSwapped(Box<Subscription>),
        /// A subscription was paused.
        "subscription/paused" => SubscriptionPaused(Box<Subscription>),
        /// The store was changed.
        "store/updated" => StoreUpdated(Record),
        /// Recharge was removed from the store.
        "recharge/uninstalled" => RechargeUninstalled(Json),
        /// A product (2021-01) was made.
        "product/created" => ProductCreated(Record),
        /// A product (2021-01) was changed.
        "product/updated" => ProductUpdated(Record),
        /// A product (2021-01) was deleted; only its id is sent.
        "product/deleted" => ProductDeleted(Record),
        /// The app was removed from the store (2021-01).
        "app/uninstalled" => AppUninstalled(Json),
        /// An address, and no topic says what happened to it.
        "address" => Address(Box<Address>),
        /// An asynchronous batch, and no topic says what happened to it.
        "async_batch" => AsyncBatch(Record),
        /// A selection for a bundle, and no topic says what happened to it.
        "bundle_selection" => BundleSelection(Record),
        /// A customer, and no topic says what happened to it.
        "customer" => Customer(Box<Customer>),
        /// A charge, and no topic says what happened to it.
        "charge" => Charge(Box<Charge>),
        /// A checkout, and no topic says what happened to it.
        "checkout" => Checkout(Record),
        /// A gift, and no topic says what happened to it.
        "gift_purchase" => GiftPurchase(Record),
        /// A one-time product, and no topic says what happened to it.
        "onetime" => Onetime(Record),
        /// An order, and no topic says what happened to it.
        "order" => Order(Box<Order>),
        /// A plan, and no topic says what happened to it.
        "plan" => Plan(Record),
        /// A subscription, and no topic says what happened to it.
        "subscription" => Subscription(Box<Subscription>),
        /// The store, and no topic says what happened to it.
        "store" => Store(Record),
        /// A product (2021-01), and no topic says what happened to it.
        "product" => Product(Record),
    }
}
