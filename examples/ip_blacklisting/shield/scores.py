"""Who attacks: points for what people seldom do, which fade, and sums over neighbours.

Points fade exponentially, so one number and one time say all about the past (Brown, Exponential
Smoothing, 1956). Every verdict names its parts.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from shield.addresses import Network
from shield.matcher import Scope

type Kind = Literal["ok", "login failed", "missing", "trap"]


class Event(NamedTuple):
    """One answered request.

    Attributes:
        seconds: when, on any clock.
        account: who, see `addresses.account`.
        path: of what is missing; only differences count.
    """

    seconds: float
    account: Network
    kind: Kind
    path: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """Points and thresholds; a score of `ban_at` is a ban."""

    ban_at: float = 100
    failed_login: float = 10
    missing_path: float = 5  # each path once: people repeat theirs, scanners do not
    half_life_seconds: float = 600
    burst_requests: int = 60
    burst_seconds: float = 2
    group_failures: float = 30
    group_accounts: int = 5  # fewer are people who share a provider
    forget_after_seconds: float = 3600
    most_paths: int = 64


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whom to ban, from what, and why: what each part contributed, in points.

    Attributes:
        scope: logins, for who only tries passwords: others may be behind the same address.
    """

    network: Network
    reason: str
    parts: dict[str, float]
    scope: Scope = Scope.FULL


@dataclass(slots=True)
class Fading:
    """A number that halves every half-life."""

    value: float = 0
    seconds: float = 0

    def add(self, amount: float, seconds: float, half_life: float) -> float:
        # Processes report in their own time: what comes late is not older than what came before.
        passed = max(0.0, seconds - self.seconds)
        self.value = self.value * 0.5 ** (passed / half_life) + amount
        self.seconds = max(seconds, self.seconds)
        return self.value


@dataclass(slots=True)
class Account:
    """What is remembered of one account, or of a group of neighbours."""

    recent: deque[float]
    logins: Fading = field(default_factory=Fading)
    scan: Fading = field(default_factory=Fading)
    paths: set[int] = field(default_factory=set)
    members: set[Network] = field(default_factory=set)
    requests: int = 0
    failures: int = 0
    seconds: float = 0


class Detector:
    """Scores of all accounts; for one thread, fed in the order of time."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._accounts: dict[Network, Account] = {}
        self._swept = 0.0

    def __len__(self) -> int:
        return len(self._accounts)

    def observe(self, event: Event) -> Verdict | None:
        """Learn from one request; return whom to ban for it, if anybody."""
        rules, now = self.rules, event.seconds
        account = self._account(event.account, now)
        account.recent.append(now)
        account.requests += 1
        if event.kind == "trap":
            reason = "a path that only attackers ask for"
            return self._ban(event.account, reason, Scope.FULL, trap=rules.ban_at)
        if event.kind == "login failed":
            account.logins.add(rules.failed_login, now, rules.half_life_seconds)
            account.failures += 1
            # Who mistypes a password has come to do something else; a dozen of them may be neighbours.
            only_tries = account.failures * 2 > account.requests
            if only_tries and (verdict := self._group(event)):
                return verdict
        elif event.kind == "missing" and event.path not in account.paths:
            if len(account.paths) < rules.most_paths:
                account.paths.add(event.path)
            account.scan.add(rules.missing_path, now, rules.half_life_seconds)
        if event.kind != "ok":
            logins = account.logins.add(0, now, rules.half_life_seconds)
            scan = account.scan.add(0, now, rules.half_life_seconds)
            if logins + scan >= rules.ban_at:
                scope = Scope.LOGIN if logins > scan else Scope.FULL
                return self._ban(
                    event.account, "failed logins and scans", scope, logins=logins, scan=scan
                )
        full = len(account.recent) == rules.burst_requests
        if full and now - account.recent[0] <= rules.burst_seconds:
            requests = float(rules.burst_requests)
            return self._ban(event.account, "a burst", Scope.FULL, requests=requests)
        return None

    def score(self, network: Network, now: float) -> float:
        """Return the points of an account, or 0 if nothing is known of it."""
        account, half_life = self._accounts.get(network), self.rules.half_life_seconds
        if account is None:
            return 0
        return account.logins.add(0, now, half_life) + account.scan.add(0, now, half_life)

    def _group(self, event: Event) -> Verdict | None:
        """Sum failed logins over a /24, or the /48 of IPv6."""
        rules = self.rules
        network = neighbours(event.account)
        group = self._account(network, event.seconds)
        group.members.add(event.account)
        failures = group.logins.add(1, event.seconds, rules.half_life_seconds)
        if failures < rules.group_failures or len(group.members) < rules.group_accounts:
            return None
        reason, accounts = "failed logins of neighbours", len(group.members)
        return self._ban(network, reason, Scope.LOGIN, failures=failures, accounts=accounts)

    def _account(self, network: Network, now: float) -> Account:
        if now - self._swept > self.rules.forget_after_seconds / 10:
            self._sweep(now)
        account = self._accounts.get(network)
        if account is None:
            account = Account(deque(maxlen=self.rules.burst_requests))
            self._accounts[network] = account
        account.seconds = now
        return account

    def _sweep(self, now: float) -> None:
        self._swept = now
        oldest = now - self.rules.forget_after_seconds
        self._accounts = {
            network: each for network, each in self._accounts.items() if each.seconds > oldest
        }

    def _ban(self, network: Network, reason: str, scope: Scope, **parts: float) -> Verdict:
        self._accounts.pop(network, None)
        rounded = {name: round(value, 1) for name, value in parts.items()}
        return Verdict(network, reason, rounded, scope)


def neighbours(account: Network) -> Network:
    """Return the network in which addresses are likely to be one attacker's."""
    length, width = (24, 32) if account.version == 4 else (48, 128)
    return Network(account.version, account.value >> width - length << width - length, length)
