"""Rules: when this holds of a request, change that about how it is routed.

rule       one rule as it was written, and what its parts must be able to do      scene     what conditions may look at
when       conditions put together by all, any, not                               extent    what a condition lets through, comparable
logic      whether a rule can ever apply, and whether another always does         rulebook  all rules of one name, in order; what fired
ruling     what the rules said of one request
change     what several effects make of one route                                 spending  what was spent so far, by whom
"""
