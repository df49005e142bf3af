"""What a rule may ask. A registry folder: one condition per module, exported as `CONDITION`; its fields are its settings.

`short`: how it is written without its settings' names: the field, and whether what is written is its value (`value`), one or
several of a list (`list`), or a mapping that belongs to the field as a whole (`whole`). `own`: a setting that is the rule's name where nothing else is written.
`names`: the fields that name something of the configuration, each with what that is.
"""
