"""An answer that this route gave before to the same request of the same principal.

It needs no entry in `targets`: a tier lists it by its name. Only routes that list it fill it, per worker, up to 16 MiB and
for 24 hours. It is always labelled degraded, and takes no attempt from the budget.
"""

from understudy.providers import Provider

PROVIDER = Provider(title="Earlier answers", key_required=False, stand_in=True)
