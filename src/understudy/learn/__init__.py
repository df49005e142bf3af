"""Training and evaluation on labelled outcomes. Needs numpy (`understudy[learn]`); what it makes is used without it."""
