# Where compose.yml's CDN finds its origin; what it keeps and who purges it is in edge.vcl.
vcl 4.1;

include "/etc/varnish/edge.vcl";

backend origin {
    .host = "nginx";
    .port = "8080";
    .probe = health;
    .connect_timeout = 1s;
    .first_byte_timeout = 15s;
}
