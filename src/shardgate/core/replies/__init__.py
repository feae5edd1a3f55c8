"""What several replies have in common: one refusal, one set of validators, reply fields, problem documents."""
