from accounts.models import User
from assistant.models import ChatMessage, ChatSession

PROMPT = "How does a page come back to an answer that is being written?"
ANSWERS = {
    "echo": """\
It opens its socket again, at **any** process, and gets what is there:

1. a `message_snapshot` with the text so far,
2. then each `message_delta`, of which it drops what it has.

```js
text = text.slice(0, frame.offset) + frame.text;
```
""",
    "echo_slowly": "By the *offset* of each piece: what it has it drops, what it lacks it asks for.",
}


def create_demo():
    """Let the user `student` have a session with a prompt and two answers."""
    student = User.objects.get(username="student")
    if student.chat_sessions.exists():
        return
    session = ChatSession.objects.create(owner=student, title="Answers that come back")
    prompt = session.messages.create(role=ChatMessage.Role.USER, text=PROMPT)
    for number, (provider, text) in enumerate(ANSWERS.items(), 1):
        session.messages.create(
            role=ChatMessage.Role.ASSISTANT,
            prompt=prompt,
            provider=provider,
            model="echo",
            text=text,
            reason=ChatMessage.Reason.STOP,
            input_tokens=len(PROMPT.split()),
            output_tokens=len(text.split()),
            first_ms=20 * number,
            total_ms=900 * number,
        )
