"""LangChain's standard unit tests, whole."""

from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_gorilla import ChatGorilla


class TestChatGorillaUnit(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[ChatGorilla]:
        return ChatGorilla

    @property
    def chat_model_params(self) -> dict[str, object]:
        return {"model": "bundled"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, object], dict[str, object]]:
        return (
            {"GORILLA_MODEL": "bundled", "GORILLA_DEVICE": "cpu", "GORILLA_DTYPE": "float32"},
            {},
            {"model": "bundled", "device": "cpu", "dtype": "float32"},
        )
