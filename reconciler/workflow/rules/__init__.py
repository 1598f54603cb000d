"""What may not happen: the guards, rules and policies of a project, asked about a plan or an account."""
