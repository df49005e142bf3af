"""Decisions in words and figures, worked out only when somebody reads one; nothing here is asked while a request walks.

told    what an explanation holds        case    a choice to be made again, as it was or otherwise
overheard  a choice made again while its strategy and balancer tell of what they made it      knobs   what can be turned in a case
search  the smallest turn that puts somebody else first      sure    how far ahead, and how well known      explain  all of it      words  the same as text
"""
