"""One file per interaction: reads the request, calls the door, renders the answer."""
