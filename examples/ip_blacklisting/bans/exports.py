"""The list in the words of other programs, which refuse before Django is asked.

https://nginx.org/en/docs/http/ngx_http_geo_module.html, https://wiki.nftables.org/wiki-nftables/index.php/Sets
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from shield.addresses import Network


def nginx(networks: Iterable[Network]) -> Iterator[str]:
    """Yield a `geo` block that sets `$banned`."""
    yield "geo $banned {"
    yield "    default 0;"
    for network in networks:
        yield f"    {network} 1;"
    yield "}"


def nftables(networks: Iterable[Network]) -> Iterator[str]:
    """Yield a table with a set for each version; `nft -f` replaces it in one step."""
    given = list(networks)
    yield "add table inet bans"
    yield "delete table inet bans"
    yield "table inet bans {"
    for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
        members = ", ".join(str(each) for each in given if each.version == version)
        yield f"    set banned{version} {{"
        yield f"        type {kind}; flags interval; auto-merge;"
        if members:
            yield f"        elements = {{ {members} }}"
        yield "    }"
    yield "    chain incoming {"
    yield "        type filter hook input priority filter;"
    yield "        ip saddr @banned4 drop"
    yield "        ip6 saddr @banned6 drop"
    yield "    }"
    yield "}"


FORMATS: Mapping[str, Callable[[Iterable[Network]], Iterator[str]]] = {
    "nginx": nginx,
    "nftables": nftables,
}
