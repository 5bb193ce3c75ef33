"""Who may do what: accounts, clients, grants, tokens and the decision itself. No HTTP here."""
