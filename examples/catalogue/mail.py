"""Sending a mail with Django's own mail settings, for the template `onboarding-mails`."""

from __future__ import annotations

from django.core.mail import send_mail

import celesta


@celesta.node("examples.mail.send")
def send(to: str, subject: str, text: str) -> dict[str, object]:
    """Send one mail from DEFAULT_FROM_EMAIL; fails, and is tried again, when the server does."""
    return {"to": to, "subject": subject, "sent": send_mail(subject, text, None, [to])}
