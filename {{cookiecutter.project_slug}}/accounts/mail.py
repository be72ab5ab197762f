from django.core.mail.backends import console


class ConsoleBackend(console.EmailBackend):
    """Prints what people read: as it travels, a mail's long lines are broken, and links with them."""

    def write_message(self, message):
        to = ", ".join(message.to)
        self.stream.write(f"To: {to}\nSubject: {message.subject}\n\n{message.body}\n{'-' * 79}\n")
