# The CDN: what it keeps, for whom, how it is purged by tag, and what it serves while the origin is down.
# https://varnish-cache.org/docs/7.7/users-guide/ (2026-11). Whoever includes it names the origin.
vcl 4.1;

import std;

probe health {
    .request = "GET /healthz HTTP/1.1" "Host: localhost" "Connection: close";
    .interval = 1s;
    .timeout = 2s;
    .window = 3;
    .threshold = 2;
    .initial = 2;
}

sub vcl_recv {
    # [purge]
    # A socket of its own, which is not published: behind Docker's proxy an address would prove nothing. Other
    # programs of the machine may reach it, so it asks for a key; with none set, nobody purges.
    if (local.socket == "purge") {
        if (!std.getenv("CDN_PURGE_KEY") || req.http.Authorization != "Bearer " + std.getenv("CDN_PURGE_KEY")) {
            return (synth(403, "Purges need the key"));
        }
        if (req.method != "PURGE" || !req.http.Surrogate-Key) {
            return (synth(400, "PURGE needs a Surrogate-Key"));
        }
        # Tags with spaces between become a pattern. It bans what was stored before it, and needs no module.
        set req.http.Tags = regsuball(req.http.Surrogate-Key, {"([][\\^$.|?*+(){}])"}, "\\\1");
        set req.http.Tags = "(^|\s)(" + regsuball(req.http.Tags, " +", "|") + ")(\s|$)";
        if (!std.ban("obj.http.Surrogate-Key ~ " + req.http.Tags)) {
            return (synth(400, std.ban_error()));
        }
        return (synth(200, "Purged"));
    }
    # [/purge]
    if (req.method == "PURGE") {
        return (synth(405, "Not here"));
    }

    # What is not part of the key must not reach the origin: it could change what everybody is served.
    unset req.http.X-Forwarded-Host;
    # A page has no parameters, and each made-up one would be a page of its own.
    if (req.method == "GET" || req.method == "HEAD") {
        set req.url = regsub(req.url, "\?.*", "");
    }
    # The service knows no cookies; those of others would make each request one of its own.
    unset req.http.Cookie;

    set req.grace = 1h; # a restart would keep what was set before it
    set req.hash_ignore_busy = false;
    # See vcl_hit: this reader renews the page, and waits for nobody: another one's error would be its own.
    if (req.restarts == 1) {
        set req.grace = 0s;
        set req.hash_ignore_busy = true;
    }
    # The built-in rules follow: whatever has an Authorization goes to the origin, and is not kept.
}

sub vcl_req_method {
    # The built-in rule connects client and origin for a method that it does not know: none of these rules would count.
    if (req.method !~ "^(GET|HEAD|PRI)$") {
        return (pass);
    }
}

sub vcl_hit {
    # For 2 s past its end a page is served while one fetch renews it. Later, readers wait for the origin; only if
    # that is down, or answers with an error (vcl_deliver), is the old page served.
    if (req.restarts == 0 && obj.ttl + 2s < 0s && std.healthy(req.backend_hint)) {
        return (restart);
    }
}

sub vcl_pass {
    # The origin knows no ranges, and one that cannot be read would be answered with 503.
    unset req.http.Range;
}

sub vcl_backend_fetch {
    # What everybody is to be served comes from Redis: the memory of a process hears of a purge a moment later.
    if (!bereq.uncacheable) {
        set bereq.http.Cache-Control = "no-cache";
    }
}

sub vcl_backend_response {
    if (beresp.status >= 500 && !bereq.uncacheable) {
        return (error(beresp.status, beresp.reason)); # unlike an answer, an error takes no page's place
    }
    # RFC 9111, section 4.4: a change that the origin accepts voids its page, under every Host.
    if (bereq.method !~ "^(GET|HEAD|OPTIONS|TRACE)$" && beresp.status < 400) {
        std.ban("obj.http.Page == " + regsub(bereq.url, "\?.*", ""));
    }
    set beresp.http.Page = bereq.url;
    # RFC 9213: what is said to CDNs counts, and not Cache-Control; the built-in rules know it by the older name.
    set bereq.http.Rules = beresp.http.Cache-Control;
    if (beresp.http.CDN-Cache-Control) {
        set bereq.http.Rules = beresp.http.CDN-Cache-Control;
        set beresp.http.Surrogate-Control = bereq.http.Rules;
        set beresp.ttl = std.duration(regsub(bereq.http.Rules, "^(.*[, ])?max-age=(\d+).*$", "\2s"), 0s) - beresp.age;
    }
    # Only what says so is kept.
    if (bereq.http.Rules !~ "(max-age|s-maxage)=0*[1-9]"
        || bereq.http.Rules ~ "(?i)no-cache|no-store|private"
        || beresp.http.Vary ~ "\*") {
        set beresp.uncacheable = true;
        set beresp.ttl = 1s;
        return (deliver);
    }
    set beresp.keep = 1h; # past its end: the origin is asked whether it has changed
    # For an origin that is down. What may not be served stale does not say so, and has no grace.
    set beresp.grace = 0s;
    if (bereq.http.Rules ~ "stale-while-revalidate") {
        set beresp.grace = 1h;
    }
}

sub vcl_deliver {
    if (resp.status >= 500 && req.restarts == 1) {
        return (restart);
    }
    unset resp.http.Surrogate-Key;
    unset resp.http.Surrogate-Control;
    unset resp.http.Page;
}
