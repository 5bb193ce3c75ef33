"""The app of the tests for trying by hand: `python -m tests.browser.app CLIENT_ID [PORT]`.

Serves until Ctrl-C; docs/day-at-the-centre.md tells what to do with it.
"""

from __future__ import annotations

import sys
import threading

from tests.browser.app.serving import LibraryMissing, serving

PORT = 3000
SCOPE = "launch openid fhirUser online_access patient/Patient.r patient/Observation.rs"


def main() -> int:
    """Serve the app that the hub knows by the id on the command line."""
    if len(sys.argv) not in (2, 3):
        print(__doc__)
        return 2
    client, port = sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else PORT
    try:
        with serving(port) as app:
            app.registered = {"clientId": client, "scope": SCOPE}
            print(f"The app is at {app.url}. Stop with Ctrl-C.", flush=True)
            threading.Event().wait()
    except LibraryMissing as error:
        print(error)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
