"""The recipe of the bundled model: data, tokenizer, model, training, evaluation, export.

The rooms in order: ``values`` and ``concepts`` say what functions there are and what people
ask; ``documents`` writes a function as a tool document; ``questions`` asks for one call or
several; ``results`` answers from what came back; ``compositions`` words texts and JSON;
``conversations`` puts turns together, and families that offer the same functions; ``dataset``
mixes and encodes them. ``tokenizer``, ``model``, ``train``, ``evaluate`` and
``export`` do the rest; ``commands`` is all of it as ``gorilla train bundled``.
"""
