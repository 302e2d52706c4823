"""Many bound tools → the few that one request is offered: decided purely, searched at the edge."""
