"""Run the fake: `python -m integrations.llm.fake 8100` says which variables lead to it."""

import asyncio
import sys

from integrations.llm.fake import Fake, dialects


async def main() -> None:
    async with Fake(int(sys.argv[1]) if sys.argv[1:] else 8100) as fake:
        for name in dialects():
            print(f"{name.upper()}_BASE_URL={fake.base_url(name)} {name.upper()}_API_KEY=fake", flush=True)
        await asyncio.Event().wait()


asyncio.run(main())
