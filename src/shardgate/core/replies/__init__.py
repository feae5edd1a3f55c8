"""About replies: the one refusal of several, merged validators and totals, headers, problem documents."""
