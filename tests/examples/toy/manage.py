"""Stands where an example has Django's: prints its arguments, or fails as told."""

import os
import sys

if os.environ.get("STAFF_TOKEN") == "broken":
    sys.exit("TRUSTED_PROXIES: '10.0.0.0/99' is not a network.")
print(" ".join(sys.argv[1:]))
