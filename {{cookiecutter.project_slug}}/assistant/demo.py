from accounts.models import User
from assistant.models import ChatMessage, ChatSession

LOADTEST_SESSIONS = range(
    10**15, 10**15 + 1000
)  # ids that no other session gets; JavaScript can count so far

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


def set_up_loadtest(users):
    """Give each user of the load test a session; remove them if there are none."""
    ChatSession.objects.filter(pk__in=LOADTEST_SESSIONS).delete()
    ChatSession.objects.bulk_create(
        ChatSession(pk=pk, owner=user, title="Load test")
        for pk, user in zip(LOADTEST_SESSIONS, users, strict=False)
    )
