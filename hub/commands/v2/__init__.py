"""`fhir-hub v2`: HL7 v2 messages, their sites and maps; one module per command."""

from __future__ import annotations

import typer

from hub.commands.v2 import again, listing, sending, showing, steering, trial

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def v2() -> None:
    """HL7 v2 messages: what came in and went out, and what the maps make of one.

    Example: fhir-hub v2 test central admission.hl7
    """


app.command("test")(trial.trial)
app.command("send")(sending.send)
app.command("list")(listing.list_)
app.command("show")(showing.show)
app.command("quarantine")(listing.quarantine)
app.command("replay")(again.replay)
app.command("resend")(again.resend)
app.command("counts")(listing.counts)
app.command("destinations")(steering.destinations)
app.command("pause")(steering.pause)
app.command("resume")(steering.resume)
