//! The scripts that decide atomically, each on one key; or to commit, on those of one delivery.

use redis::{Cmd, Script as Source};

/// What the scripts answer; anything from 0 on is the rest of another's lease, in milliseconds.
pub(super) const DONE: i64 = -10;
pub(super) const COMMITTED: i64 = -11;
pub(super) const FENCED: i64 = -12;
pub(super) const FOREIGN: i64 = -13;

/// What a key's value begins with; the token's eight bytes follow.
pub(super) const CLAIMED_BY: u8 = b'c';
pub(super) const COMMITTED_BY: u8 = b'd';

/// `ARGV`: the value as claimed by this token, the lease.
const CLAIM: &str = "\
local held = redis.call('GET', KEYS[1])
if not held then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return -10
end
if held == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return -10
end
local state = #held == 9 and string.sub(held, 1, 1)
if state == 'd' then return -11 end
if state ~= 'c' then return -13 end
return math.max(redis.call('PTTL', KEYS[1]), 1)";

/// `ARGV`: the value as claimed, the lease.
const RENEW: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -12 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return -10";

/// `ARGV`: the value as claimed, the value as committed, the retention. All of the keys or none, where there are several.
///
/// The expiry is first: at `maxmemory` a server refuses scripts whose first write takes memory, and runs the others to their
/// end, since version 6. So what was claimed can be committed by a server that is full.
const COMMIT: &str = "\
for _, key in ipairs(KEYS) do
  local held = redis.call('GET', key)
  if held ~= ARGV[1] and held ~= ARGV[2] then return -12 end
end
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, ARGV[3])
  redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
end
return -10";

/// `ARGV`: the value as claimed.
const RELEASE: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -12 end
redis.call('DEL', KEYS[1])
return -10";

/// The scripts, with their digests, which are computed once.
pub(super) struct Scripts {
    pub(super) claim: Script,
    pub(super) renew: Script,
    pub(super) commit: Script,
    pub(super) release: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            claim: Script::new(CLAIM),
            renew: Script::new(RENEW),
            commit: Script::new(COMMIT),
            release: Script::new(RELEASE),
        }
    }
}

/// One script.
pub(super) struct Script {
    source: &'static str,
    digest: Box<str>,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Self { source, digest: Source::new(source).get_hash().into() }
    }

    /// Calls the script that the server has kept.
    pub(super) fn by_digest(&self, keys: &[String], arguments: &[&[u8]]) -> Cmd {
        command("EVALSHA", &self.digest, keys, arguments)
    }

    /// Calls the script and has the server keep it: for one that has not seen it, or was restarted or flushed.
    pub(super) fn by_source(&self, keys: &[String], arguments: &[&[u8]]) -> Cmd {
        command("EVAL", self.source, keys, arguments)
    }
}

fn command(name: &str, script: &str, keys: &[String], arguments: &[&[u8]]) -> Cmd {
    let mut command = Cmd::with_capacity(arguments.len().saturating_add(4), script.len().saturating_add(160));
    command.arg(name).arg(script).arg(keys.len()).arg(keys);
    for argument in arguments {
        command.arg(*argument);
    }
    command
}
