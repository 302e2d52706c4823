"""Many tools → the few that matter: a searchable collection of tool documents in Qdrant."""
