"""Every exception that langchain-gorilla raises.

A model's mistake is data (``invalid_tool_calls``); these are a caller's mistakes and the
machine's limits. Each message says what happened, what was expected and what to do.

    GorillaError
    ├── InvalidFunctionError (ValueError)        a tool that cannot be offered to a model
    │   ├── DuplicateFunctionError               two tools, or two aliases, with one name
    │   └── ContradictorySchemaError             a JSON schema that no value fits
    ├── UnknownToolError (ValueError)            tool_choice names a tool that is not bound
    ├── UnknownFormatError (ValueError)          no prompt format for this model id or name
    ├── PromptError (ValueError)                 messages that this prompt format cannot carry
    │   └── FormatMismatchError                  the tokenizer lacks a token the format needs
    ├── UnsupportedOptionError (ValueError)      an option that this engine or format cannot honour
    ├── ModelLoadError                           weights that are there but cannot be used
    ├── MissingModelError (ModelNotFoundError)   no such model id or directory, or no weights in it
    ├── PromptTooLongError (ContextOverflowError)  the prompt and the answer do not fit the context
    ├── DeadEndError                             no token fits the grammar of the answer
    ├── GenerationTimeoutError (ModelTimeoutError)  `timeout` passed before the answer was complete
    ├── GenerationCancelledError                 the caller cancelled; what was generated is dropped
    ├── ScriptEndedError                         a ScriptedEngine has no further answer
    ├── SourceError (ValueError)                 a source of tools that cannot be read at all
    └── RetrievalError                           a tool index cannot do what was asked
        ├── IndexUnavailableError                its folder or server cannot be reached or written
        │   └── IndexReplacedError               its collection is gone from the server
        ├── IndexMismatchError (ValueError)      made by another embedder or another program
        ├── EmbeddingError                       the embedder failed
        └── CalibrationError (ValueError)        too little to tell what a score means

The names in parentheses are ``ValueError`` or LangChain's own errors
(``langchain_core.exceptions``), so that handlers written for other chat models keep working:
LangChain's summarization, for one, catches ``ContextOverflowError``.
"""

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelNotFoundError,
    ModelTimeoutError,
)


class GorillaError(Exception):
    """The base of every exception of this package."""


class InvalidFunctionError(GorillaError, ValueError):
    """A tool that cannot be offered: no name, no JSON schema, an unknown kind of object."""


class DuplicateFunctionError(InvalidFunctionError):
    """Two tools, or the aliases of two tools, have one name; the message names both."""


class ContradictorySchemaError(InvalidFunctionError):
    """No value fits a tool's JSON schema; the message names the tool and the place."""


class UnknownToolError(GorillaError, ValueError):
    """``tool_choice`` names a tool that is not among the bound ones."""


class UnknownFormatError(GorillaError, ValueError):
    """No prompt format belongs to this model id or format name."""


class PromptError(GorillaError, ValueError):
    """The messages cannot be written in this prompt format."""


class FormatMismatchError(PromptError):
    """The format needs a special token that the model's tokenizer does not have."""


class UnsupportedOptionError(GorillaError, ValueError):
    """An option was asked for that this engine or format cannot honour."""


class ModelLoadError(GorillaError):
    """The model was found, but its weights or tokenizer cannot be used."""


class MissingModelError(GorillaError, ModelNotFoundError):
    """There is no such model id or directory, or the directory holds no weights."""


class PromptTooLongError(GorillaError, ContextOverflowError):
    """The prompt leaves no room for an answer; says how many tokens, how many are allowed."""


class DeadEndError(GorillaError):
    """No token fits the grammar, or one was consumed that does not; the message says where."""


class GenerationTimeoutError(GorillaError, ModelTimeoutError):
    """The timeout passed before the answer was complete."""


class GenerationCancelledError(GorillaError):
    """The caller cancelled while the model was generating."""


class ScriptEndedError(GorillaError):
    """More answers were asked for than the script has."""


class SourceError(GorillaError, ValueError):
    """A source of tools cannot be read at all; parts of one that cannot are ``refusals``."""


class RetrievalError(GorillaError):
    """A tool index cannot do what was asked."""


class IndexUnavailableError(RetrievalError):
    """The folder or server of a tool index cannot be reached, read or written."""


class IndexReplacedError(IndexUnavailableError):
    """The collection of a tool index is gone; another process may have built it anew."""


class IndexMismatchError(RetrievalError, ValueError):
    """A collection was made by something else: another embedder, another program."""


class EmbeddingError(RetrievalError):
    """The embedder failed, or gave vectors that cannot be used."""


class CalibrationError(RetrievalError, ValueError):
    """There is too little to calibrate a retriever with, or the calibration is another's."""
