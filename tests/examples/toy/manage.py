"""Stands where an example has Django's: prints its arguments, fails as told, or never ends."""

import os
import sys
import time

if os.environ.get("STAFF_TOKEN") == "broken":
    sys.exit("TRUSTED_PROXIES: '10.0.0.0/99' is not a network.")
if sys.argv[1:] == ["never", "end"]:
    time.sleep(3600)
print(" ".join(sys.argv[1:]))
