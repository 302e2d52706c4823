"""LangChain's standard integration tests on the bundled model, through real generation."""

import pytest
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_gorilla import ChatGorilla, bundled


@pytest.mark.enable_socket
class TestChatGorillaIntegration(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[ChatGorilla]:
        return ChatGorilla

    @property
    def chat_model_params(self) -> dict[str, object]:
        return {"model": "bundled"}

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        # The same weights by their folder: another id, another engine.
        return str(bundled.path())
