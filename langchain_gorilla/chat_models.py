"""``ChatGorilla``: a LangChain chat model on a local Gorilla model.

It wires the rooms and decides nothing else: messages become turns, turns a prompt, the engine's
text events, events message chunks.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput, ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from langchain_gorilla.answer import PROVIDER, Answer
from langchain_gorilla.binding import Demand, read_demand
from langchain_gorilla.call_options import (
    REPLACEABLE,
    check_call_options,
    check_enforced,
    check_kinds,
    refuse_several_answers,
    renamed,
    stop_texts,
    without_many_tools,
)
from langchain_gorilla.constraining import check_constraint, left_to_validation
from langchain_gorilla.engines.base import Engine
from langchain_gorilla.engines.transformers import declared_context_tokens, load_engine
from langchain_gorilla.errors import PromptError, UnsupportedOptionError
from langchain_gorilla.formats.base import Prompt, PromptFormat, prompt_text
from langchain_gorilla.formats.conversation import conversation, pieces
from langchain_gorilla.formats.registry import choose_format
from langchain_gorilla.functions import FunctionSet, function_set
from langchain_gorilla.grammar.call_grammar import Coverage
from langchain_gorilla.messages import whole_message
from langchain_gorilla.narrowing.bound import BoundTools
from langchain_gorilla.narrowing.offering import Measure
from langchain_gorilla.narrowing.request import anarrowed, narrowed, prompt_measure
from langchain_gorilla.options import (
    ModelOptions,
    refuse_doubled_options,
    refuse_unusable_options,
)
from langchain_gorilla.request import Request, plan_request
from langchain_gorilla.structured_output import Method, structured_output


class ChatGorilla(ModelOptions, BaseChatModel):
    """A chat model with tool calling that runs a Gorilla model on this machine.

    Swap it for ``ChatOpenAI`` in an agent and leave the rest as it is:

    >>> def get_weather(city: str) -> str: "Get the current weather for a city."
    >>> model = ChatGorilla(model="bundled")  # or "gorilla-llm/gorilla-openfunctions-v2"
    >>> answer = model.bind_tools([get_weather]).invoke("What is the weather in Paris and in Tokyo?")
    >>> [(call["name"], call["args"]) for call in answer.tool_calls]
    [('get_weather', {'city': 'Paris'}), ('get_weather', {'city': 'Tokyo'})]

    Weights load at the first call, once per process for the same model and options of loading as
    they are given: ``dtype="float32"`` beside None loads them twice. What each option does stands
    beside it in ``ModelOptions``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Fail here, not at the first call, on options that cannot be honoured."""
        further = kwargs.get("model_kwargs")
        refuse_several_answers({**(further if isinstance(further, Mapping) else {}), **kwargs})
        refuse_doubled_options(kwargs)
        super().__init__(*args, **kwargs)
        # Not in a validator: pydantic would wrap the errors and lose their types.
        refuse_unusable_options(self.model, self.model_kwargs)
        self._prompt_format(self.model)
        check_enforced(
            self.constrained,
            min_call_probability=self.min_call_probability,
            compare_functions=self.compare_functions,
            temperature=self.temperature,
        )

    # --- What LangChain asks about the model ---

    @property
    def _llm_type(self) -> str:
        return "gorilla-chat"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        """Everything that changes an answer; part of the cache key."""
        engine = {} if self.engine is None else {"engine": repr(self.engine)}
        format_ = self._prompt_format(self.model)
        # A format of the caller's own may differ from others of its name.
        own = f" {type(format_).__qualname__} {vars(format_)}" if format_ is self.format else ""
        return {**self._answering_options(), **engine, "format": f"{format_.name}{own}"}

    def _get_invocation_params(
        self, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        check_kinds(kwargs)  # LangChain asks for these first; what follows takes kinds for granted.
        return super()._get_invocation_params(
            stop=self._stop_texts(stop), **without_many_tools(kwargs)
        )

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        return super()._get_llm_string(stop=stop, **without_many_tools(kwargs))

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        stop = self._stop_texts(stop) or None
        return {**super()._get_ls_params(stop=stop, **kwargs), "ls_provider": PROVIDER}

    def _resolve_model_profile(self) -> ModelProfile:
        profile = ModelProfile(
            text_inputs=True,
            text_outputs=True,
            image_inputs=False,
            audio_inputs=False,
            pdf_inputs=False,
            tool_calling=True,
            tool_choice=self.constrained,
            tool_call_streaming=True,
            structured_output=self.constrained,
            open_weights=True,
        )
        # A hub model's config would have to be fetched; its family's figure does instead.
        context = self.context_tokens or declared_context_tokens(self.model)
        context = context or self._prompt_format(self.model).context_tokens
        if context is not None:
            profile["max_input_tokens"] = context
        if self.max_tokens is not None:
            profile["max_output_tokens"] = self.max_tokens
        return profile

    def get_token_ids(self, text: str) -> list[int]:
        """Return the token ids of a text, by the model's own tokenizer."""
        return self._engine_for(self.model).encode((text,))

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Return the length of the prompt that these messages and tools make.

        A piece of one, such as LangChain's trimming counts, is read from its end too; of what makes
        no prompt either way the tokens of the texts are added up.
        """
        engine = self._engine_for(self.model)
        for piece in pieces(messages):
            with suppress(PromptError):
                return len(engine.encode(self._prompt(piece, tools)))
        return sum(len(engine.encode((message.text,))) for message in messages)

    def prompt_text(self, input: LanguageModelInput, tools: Sequence[Any] | None = None) -> str:
        """Return the prompt that the model would read, for people: special tokens are spelled.

        Args:
            input: What ``invoke`` takes.
            tools: What ``bind_tools`` takes.
        """
        return prompt_text(self._prompt(self._convert_input(input).to_messages(), tools))

    def _prompt(self, messages: Sequence[BaseMessage], tools: Sequence[Any] | None) -> Prompt:
        functions = function_set(tools or ())
        turns = conversation(messages, functions)
        return self._prompt_format(self.model).render(turns, functions.written)

    # --- Tools and structured output ---

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        strict: bool | None = None,
        parallel_tool_calls: bool | None = None,
        response_format: dict[str, Any] | type | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools to the model.

        Args:
            tools: LangChain tools, callables, Pydantic models, TypedDicts, OpenAI or MCP dicts,
                or Gorilla's own API documents.
            tool_choice: ``"auto"`` or None; ``"any"``, ``"required"`` or True for at least one
                call; ``"none"``; a tool's name, or OpenAI's dict with one or with ``allowed_tools``.
            strict: True: it is an error if the grammar has to leave part of a schema to
                validation (``explain_constraint`` says what), or nothing is constrained; False:
                calls are constrained only where ``tool_choice``, ``parallel_tool_calls`` or
                ``response_format`` demands it.
            parallel_tool_calls: False for at most one call.
            response_format: OpenAI's demand for JSON as the final text, or a class of that JSON.
            kwargs: Bound as they are.

        Raises:
            InvalidFunctionError: A tool that cannot be offered, or two with one name.
            ContradictorySchemaError: No call can fit a tool's schema.
            UnknownToolError: ``tool_choice`` names a tool that is not bound.
            UnsupportedOptionError: What is asked for cannot be enforced.
        """
        options: dict[str, Any] = {
            "tool_choice": tool_choice,
            "strict": strict,
            "parallel_tool_calls": parallel_tool_calls,
            "response_format": response_format,
        }
        check_kinds(options)
        options = renamed({**options, "tools": tools})
        tools = options.pop("tools")
        bound: Sequence[dict[str, Any]]
        if self.tool_retriever is None:
            functions = function_set(tools)
            demand = read_demand(options, functions)
            bound = [{"type": "function", "function": f.document()} for f in functions.functions]
        else:
            bound = many = BoundTools(tools, self.tool_retriever)
            demand = read_demand(options, many)
            # What the retriever may find is checked when it is offered.
            functions = many.certain(demand.choice.name)
        self._check(functions, demand)
        given = {name: value for name, value in options.items() if value is not None}
        return self.bind(tools=bound, **given, **kwargs)

    def _check(self, functions: FunctionSet, demand: Demand) -> None:
        """Fail at once, not at the first call, on what cannot be enforced."""
        check_enforced(self.constrained, strict=demand.strict or demand.strict_response)
        if self.constrained:
            check_constraint(self._prompt_format(self.model), functions, demand)

    def explain_constraint(self, tools: Sequence[Any]) -> tuple[Coverage, ...]:
        """Say for each tool what of its schema is left to validation, and why.

        A tool whose ``gaps`` are empty is only ever called with arguments that fit its schema.
        """
        return left_to_validation(
            self._prompt_format(self.model), function_set(tools), constrained=self.constrained
        )

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Method = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Return a runnable whose output fits a schema.

        Args:
            schema: Pydantic class, TypedDict, JSON schema, OpenAI tool or ``response_format``;
                None, with ``json_mode``, is any JSON object.
            method: ``function_calling``: the schema is a tool; ``json_schema`` and
                ``json_mode``: the answer is JSON that fits it.
            include_raw: Return ``{"raw", "parsed", "parsing_error"}`` and never raise.
            strict: True: as in ``bind_tools``.
            kwargs: None are known; given ones are an error.
        """
        if kwargs:
            raise UnsupportedOptionError(
                f"with_structured_output() does not know {', '.join(sorted(kwargs))}. "
                "It takes schema, method, include_raw and strict."
            )
        check_kinds({"strict": strict})
        return structured_output(
            self,
            schema,
            method=method,
            include_raw=include_raw,
            strict=strict,
            check=partial(self._check, FunctionSet(())),
        )

    # --- Generation ---

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._request(messages, stop, self._narrowed(messages, kwargs)).whole()
        answer = Answer(request, blocks=self.output_version == "v1")
        return _result([chunk for event in request.events() for chunk in answer.add(event)])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        request = self._request(messages, stop, await self._anarrowed(messages, kwargs)).whole()
        answer = Answer(request, blocks=self.output_version == "v1")
        return _result([chunk async for event in request.aevents() for chunk in answer.add(event)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        request = self._request(messages, stop, self._narrowed(messages, kwargs))
        answer = Answer(request, blocks=self.output_version == "v1")
        for event in request.events():
            for message in answer.add(event):
                chunk = ChatGenerationChunk(message=message)
                if run_manager is not None:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        request = self._request(messages, stop, await self._anarrowed(messages, kwargs))
        answer = Answer(request, blocks=self.output_version == "v1")
        async for event in request.aevents():
            for message in answer.add(event):
                chunk = ChatGenerationChunk(message=message)
                if run_manager is not None:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk

    def _request(
        self, messages: Sequence[BaseMessage], stop: list[str] | None, given: Mapping[str, Any]
    ) -> Request:
        """Plan one answer by the call's options, and by the model's where the call has none."""
        check_call_options(given)
        own = {name: getattr(self, name) for name in REPLACEABLE}
        options = {**own, **{name: value for name, value in given.items() if value is not None}}
        check_enforced(
            self.constrained,
            strict=given.get("strict"),
            compare_functions=options["compare_functions"],
            temperature=options["temperature"],
        )
        model = given.get("model") or self.model
        return plan_request(
            messages,
            options,
            model=model,
            engine=self._engine_for(model),
            format_=self._prompt_format(model),
            stop=self._stop_texts(given.get("stop") if stop is None else stop),
            constrained=self.constrained,
        )

    def _narrowed(
        self, messages: Sequence[BaseMessage], given: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Replace many bound tools by the few that this request is offered."""
        given = renamed(given)
        many = isinstance(given.get("tools"), BoundTools)
        return narrowed(given, messages, self.measure(messages, given)) if many else given

    async def _anarrowed(
        self, messages: Sequence[BaseMessage], given: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        given = renamed(given)
        many = isinstance(given.get("tools"), BoundTools)
        return await anarrowed(given, messages, self.measure(messages, given)) if many else given

    def measure(self, messages: Sequence[BaseMessage], given: Mapping[str, Any]) -> Measure:
        """Return what says how large the prompt of a conversation becomes with some tools.

        Args:
            messages: The conversation.
            given: The options of the call: model, max_tokens, response_format.
        """
        model = given.get("model") or self.model
        return prompt_measure(
            self._engine_for(model),
            self._prompt_format(model),
            messages,
            max_tokens=given.get("max_tokens") or self.max_tokens,
            response_format=given.get("response_format"),
        )

    def _stop_texts(self, given: list[str] | None) -> list[str]:
        return stop_texts(self.stop if given is None else given)

    def _prompt_format(self, model: str) -> PromptFormat:
        return choose_format(model, self.format)

    def _engine_for(self, model: str) -> Engine:
        if self.engine is not None:
            return self.engine
        return load_engine(model, **self._loading_options())


def _result(chunks: Sequence[AIMessageChunk]) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=whole_message(chunks))])
