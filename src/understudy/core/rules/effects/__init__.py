"""What a rule may change. A registry folder: one effect per module, exported as `EFFECT`; its fields are its settings.

`short`: how it is written without its settings' names, as for conditions. `names`: the fields that name
something of the configuration, each with what that is, so that a name which does not exist is told with its line.
"""
