"""Questions as participants type them, and what the embedded assistant has to make of each.

A row is `pack | program | question | expectation`. Packs: t (timer), u (users). Programs: `-` the starter, else a name
of PROGRAMS. Expectations: `topic X` the first idea explained is X; `code X` exactly that function is given; `whole`
one file with every function; `start X` a first step with that function; `says X` the words stand in the reply;
`hello`, `able`, `thanks`, `task`, `run`, `nothing`.
"""

from __future__ import annotations

TIMER = """import trio


async def timer(count, interval):
    for number in range(1, count + 1):
        {timer}
        print(f"tick {{number}}")


async def delayed_greeting(name, delay):
    await trio.sleep(delay)
    print({greeting})


async def together(count, interval, name, delay, limit):
    with trio.move_on_after(limit) as scope:
        async with trio.open_nursery() as nursery:
            {start}
            nursery.start_soon(delayed_greeting, name, delay)
    if scope.cancelled_caught:
        print("time is up")
        return False
    print("all done")
    return True


if __name__ == "__main__":
    trio.run(together, 3, 0.5, "Ada", 0.7, 5)
"""
GOOD = {
    "timer": "await trio.sleep(interval)",
    "greeting": 'f"Hello, {name}!"',
    "start": "nursery.start_soon(timer, count, interval)",
}


def timer_program(**changed: str) -> str:
    """A finished timer program with those pieces changed."""
    return TIMER.format(**(GOOD | changed))


FULL = timer_program()
PROGRAMS = {
    "done": FULL,
    "no_await": timer_program(timer="trio.sleep(interval)"),
    "called": timer_program(start="nursery.start_soon(timer(count, interval))"),
    "text": timer_program(greeting='f"Hello {name}"'),
    "syntax": FULL.replace("range(1, count + 1):", "range(1, count + 1)"),
    "blocking": "import time\n" + timer_program(timer="time.sleep(interval)"),
    "with_nursery": FULL.replace("async with trio.open_nursery", "with trio.open_nursery"),
    "typo": FULL.replace("open_nursery", "open_nursary"),
    "no_import": FULL.replace("import trio\n", "", 1),
    "true": FULL.replace("return True", "return true"),
    "range": FULL.replace("range(1, count + 1)", "range(count)"),
    "order": FULL.replace(
        '        await trio.sleep(interval)\n        print(f"tick {number}")',
        '        print(f"tick {number}")\n        await trio.sleep(interval)',
    ),
    "no_limit": FULL.replace("    with trio.move_on_after(limit) as scope:\n", "    if True:\n").replace(
        '    if scope.cancelled_caught:\n        print("time is up")\n        return False\n', ""
    ),
    "inside": """import trio


async def timer(count, interval):
    for number in range(1, count + 1):
        await trio.sleep(interval)
        print(f"tick {number}")


async def delayed_greeting(name, delay):
    await trio.sleep(delay)
    print(f"Hello, {name}!")


async def together(count, interval, name, delay, limit):
    async with trio.open_nursery() as nursery:
        with trio.move_on_after(limit) as scope:
            nursery.start_soon(timer, count, interval)
            nursery.start_soon(delayed_greeting, name, delay)
    if scope.cancelled_caught:
        print("time is up")
        return False
    print("all done")
    return True


if __name__ == "__main__":
    trio.run(together, 3, 0.5, "Ada", 0.7, 5)
""",
    "one_left": FULL.replace(
        '    await trio.sleep(delay)\n    print(f"Hello, {name}!")\n', "    # Wait, then greet.\n    ...\n"
    ),
}
USERS_HEAD = '''import trio


class UserNotFound(Exception):
    """There is no user with this id."""


async def fetch_user(user_id):
    """Stands for a slow service. Please leave it as it is."""
    names = {1: "Ines", 3: "Noor", 4: "Tomasz"}
    await trio.sleep(0.2 * user_id)
    if user_id not in names:
        raise UserNotFound(f"no user {user_id}")
    return {"id": user_id, "name": names[user_id]}


'''
USERS_TAIL = """

if __name__ == "__main__":
    print(trio.run(get_user_data, [1, 2, 3]))
"""
PROGRAMS |= {
    "u_loop": USERS_HEAD
    + """async def get_user_data(user_ids):
    found = {}
    for user_id in user_ids:
        try:
            user = await fetch_user(user_id)
            found[user_id] = user["name"]
        except (UserNotFound, ConnectionError) as error:
            found[user_id] = f"error: {error}"
    return found
"""
    + USERS_TAIL,
    "u_result": USERS_HEAD
    + """async def get_user_data(user_ids):
    found = {}
    async with trio.open_nursery() as nursery:
        for user_id in user_ids:
            found[user_id] = nursery.start_soon(fetch_user, user_id)
    return found
"""
    + USERS_TAIL,
    "u_one_error": USERS_HEAD
    + """async def get_user_data(user_ids):
    found = {}

    async def one(user_id):
        try:
            user = await fetch_user(user_id)
            found[user_id] = user["name"]
        except UserNotFound as error:
            found[user_id] = f"error: {error}"

    async with trio.open_nursery() as nursery:
        for user_id in user_ids:
            nursery.start_soon(one, user_id)
    return found
"""
    + USERS_TAIL,
    "u_no_await": USERS_HEAD
    + """async def get_user_data(user_ids):
    found = {}

    async def one(user_id):
        try:
            user = fetch_user(user_id)
            found[user_id] = user["name"]
        except (UserNotFound, ConnectionError) as error:
            found[user_id] = f"error: {error}"

    async with trio.open_nursery() as nursery:
        for user_id in user_ids:
            nursery.start_soon(one, user_id)
    return found
"""
    + USERS_TAIL,
}

QUESTIONS = """
t | - | hi | hello
t | - | Hello! | hello
t | - | hey there | hello
t | - | good morning :) | hello
u | - | Hi assistant | hello
t | - | how are you? | hello
t | - | what can you do? | able
t | - | can you see my code | able
t | - | are you chatgpt? | able
u | - | who are you | able
t | - | which model are you | able
u | - | can you run my program? | able
t | - | do you have access to my editor? | able
t | - | how can you help me | able
t | done | thanks! | thanks
t | done | Thank you so much, that worked | thanks
t | done | great, it works now | thanks
u | - | ok got it | thanks
t | - | perfect | thanks
t | done | awesome job | thanks
t | - | I don't understand the task | task
t | - | i dont get the task at all | task
t | - | what am I supposed to do? | task
t | - | what is the task? | task
t | - | Can you explain the assignment in simple words? | task
u | - | summarise the task please | task
u | - | the instructions are confusing | task
u | - | what do I have to do? | task
t | - | what's the expected output? | task
u | - | What does the task want from me? | task
t | - | what does together have to do? | says `limit` seconds
t | - | what should timer print? | says tick 1
u | - | what is get_user_data supposed to return? | says error: MESSAGE
t | - | how would i test this code | run
t | done | how do I run my program? | run
u | - | how do I know if it is correct? | run
t | - | how do i submit my solution | run
u | - | how to test this | run
t | - | how do i start? | start timer
t | - | where do i begin | start timer
t | - | where should I start? | start timer
t | - | I have no idea how to start | start timer
t | - | i'm stuck | start timer
t | - | help | start timer
t | - | can you help me? | start timer
t | - | what should I do first? | start timer
t | - | I don't know what to do | start timer
t | - | help me get started | start timer
u | - | How should I approach this? | start get_user_data
u | - | i am totally lost | start get_user_data
u | - | give me a hint | start get_user_data
t | one_left | what's next? | start delayed_greeting
t | done | what should i do next | says Every function is written
t | - | write the code | whole
t | - | give me the complete solution | whole
t | - | can you solve the task for me? | whole
t | - | please implement everything | whole
t | - | Write all three functions | whole
t | - | full code please | whole
t | - | just give me the answer | whole
t | - | I need the whole program in one file | whole
t | - | show me the solution | whole
t | - | can you do it for me | whole
t | - | complete the unfinished functions in main.py | whole
t | - | solution pls | whole
t | - | can you wirte the full solution | whole
t | done | give me the entire file again | whole
u | - | give me the whole program | whole
u | - | write out the complete file | whole
u | - | do my homework | code get_user_data
t | - | write the timer function | code timer
t | - | now do delayed_greeting | code delayed_greeting
t | - | implement together | code together
t | - | how do I write timer? | code timer
t | - | Could you write me delayed_greeting() please | code delayed_greeting
t | - | now do the second function | code delayed_greeting
t | - | and now the last function please write it | code together
t | - | can you do the greeting | code delayed_greeting
t | - | how should delayed_hello be implemented? | code delayed_greeting
t | - | i need the code for together | code together
t | - | write only the first function | code timer
t | - | how do i make the timer loop? | code timer
t | - | implement the timer func following the comment | code timer
t | - | please code up the greeting function | code delayed_greeting
t | - | what would the code for timer look like | code timer
t | one_left | finish it for me | code delayed_greeting
t | one_left | write what is left | code delayed_greeting
t | - | write the next one | code timer
u | - | fill in get_user_data | code get_user_data
u | - | implement get_user_data with error handling | code get_user_data
u | - | can you write fetch_one | code get_user_data
u | - | now using a nursery implement the rest of get_user_data | code get_user_data
u | - | Can you finish get_user_data for me? | code get_user_data
t | - | write a quicksort | nothing
t | - | can you write me a poem about the sea | nothing
t | - | build a website with flask | nothing
t | - | how tall is the Eiffel tower? | nothing
t | - | what's the capital of France | nothing
u | - | what is a monad? | nothing
t | - | how does trio handle backpressure | nothing
t | - | explain kubernetes | nothing
u | - | who won the world cup | nothing
t | - | what is the weather like today | nothing
t | - | how do I use pandas dataframes | nothing
t | - | what is a memory channel | nothing
u | - | explain quantum entanglement to me | nothing
t | - | what is a nursery? | topic Nurseries
t | - | What does a nursery do | topic Nurseries
t | - | explain nurserys | topic Nurseries
t | - | whats a nursury | topic Nurseries
t | - | how do I make a nursery | topic Nurseries
t | - | trio nursery syntax | topic Nurseries
t | - | show me an example of a nursery | topic Nurseries
t | - | how do I run two functions at the same time? | topic Nurseries
t | - | how can I do two things at once | topic Nurseries
t | - | how to run things in parallel | topic Nurseries
t | - | how do I run both functions simultaneously | topic Nurseries
t | - | how can i make them run concurrently | says nursery
t | - | how do I start two functions? | says start_soon
t | - | how do I start a task? | says start_soon
t | - | how do i kick off a background task | says start_soon
t | - | what does start_soon do? | topic start_soon
t | - | how do I pass arguments to start_soon | topic start_soon
t | - | does start_soon return something | topic start_soon
t | - | what is await? | topic async and await
t | - | what does async mean | topic async and await
t | - | explain async/await to me | topic async and await
t | - | what is an async function | topic async and await
t | - | why do I need await before trio.sleep? | says await
t | - | what's a coroutine | says coroutine
t | - | how do I wait for one second | topic trio.sleep
t | - | how can i pause the program for a while | topic trio.sleep
t | - | how do i sleep in trio | topic trio.sleep
t | - | what does trio.sleep do | topic trio.sleep
t | - | what is trio.run for? | topic trio.run
t | - | how do i start trio from normal code? | topic trio.run
t | - | how do I stop after 5 seconds | topic move_on_after
t | - | how do I set a timeout? | topic move_on_after
t | - | what does move_on_after do? | topic move_on_after
t | - | how can I limit the time of a block | topic move_on_after
t | - | how do i know whether the time limit was hit | topic move_on_after
t | - | what is cancelled_caught | topic move_on_after
t | - | how do I cancel a task | says cancel
t | - | what is fail_after | topic fail_after
t | - | how do f-strings work | topic Printing numbers and text
t | - | how do I put a variable into a string | topic Printing numbers and text
t | - | which child runs first? | topic Which child goes first
t | - | how do I wait for both tasks to finish | topic Nurseries
t | - | is this using threads? | topic Tasks and threads
t | - | what is structured concurrency | topic Nurseries
t | - | what is trio? | topic Trio and asyncio
u | - | how do I get the return value of a task? | topic Getting results out of child tasks
u | - | how do i collect the results | topic Getting results out of child tasks
u | - | how can a child task give something back | topic Getting results out of child tasks
u | - | do I need a lock for the dictionary? | topic Sharing a dictionary between tasks
u | - | can I write to python dict concurrently | topic Sharing a dictionary between tasks
u | - | do i need a mutex to avoid race conditions | topic Sharing a dictionary between tasks
u | - | what happens if one task fails? | topic Errors in a nursery
u | - | what happens when a child raises an exception | topic Errors in a nursery
u | - | how do I catch an exception in a task | says except
u | - | how do i handle errors | topic try and except around an await
u | - | how do I get the error message as text | topic The text of an exception
u | - | which exceptions should I catch? | topic Which exceptions to catch
u | - | how does trio handle backpressure | topic Memory channels
u | - | what is a memory channel | topic Memory channels
u | - | is the order of the results preserved? | topic The order of results
u | - | how do I add to a dict | topic Dictionaries
u | - | can i define a function inside another function | topic Functions inside functions
u | - | how do I fetch all of them at the same time | topic Nurseries
u | - | why use a nursery? | topic Nurseries
t | - | what's the difference between asyncio and trio? | topic Trio and asyncio
t | - | asyncio vs trio | topic Trio and asyncio
t | - | how is trio different from asyncio | topic Trio and asyncio
t | - | is trio like asyncio | topic Trio and asyncio
t | - | compare trio with asyncio please | topic Trio and asyncio
t | - | difference between move_on_after and fail_after | says fail_after
t | - | time.sleep or trio.sleep? | topic trio.sleep
t | - | why trio.sleep instead of time.sleep | says time.sleep
t | - | what's the difference between sequential and concurrent | topic Sequential and concurrent
u | - | should I use a list or a dictionary? | says dictionary
t | no_await | why are all my ticks printed at once? | says Line 6
t | no_await | why is nothing waiting? | says Line 6
t | no_await | what's wrong? | says Line 6
t | no_await | why doesn't it work | says Line 6
t | no_await | it does not wait between the ticks | says Line 6
t | no_await | is my code right? | says Line 6
t | no_await | can you check my solution | says Line 6
t | no_await | what is wrong with line 6? | says Line 6
t | no_await | what's wrong with line 4? | says Line 4
t | no_await | I get a warning | says Line 6
t | no_await | my code is broken :( | says Line 6
t | called | why do I get an error? | says start_soon
t | called | it crashes | says Line 18
t | text | why does my example fail? | says Line 12
t | syntax | why doesn't this run | says Line 5
t | syntax | what does this error mean | says Line 5
t | blocking | the limit is ignored, why? | says time.sleep
t | with_nursery | it does not work | says async with
t | typo | what's wrong with my code | says open_nursery
t | no_import | why do i get an error | says import
t | true | something is wrong | says True
t | range | the numbers are wrong | says counts from 0
t | order | the first tick comes too early | says order
t | no_limit | why does it not stop? | says limit
t | inside | the time limit doesn't work | says inside the nursery
t | - | what's wrong with line 6? | says not written yet
t | - | what does line 1 do? | says available
t | - | explain line 4 | says timer
t | - | what is wrong with line 400 | says there is no line 400
t | done | is this correct? | says no mistake
t | done | explain my code line by line | says opens a nursery
t | done | what does my program do? | says waits `interval` seconds
t | done | can you walk me through my code | says opens a nursery
u | u_loop | why is it so slow? | says open_nursery
u | u_result | why do I only get None? | says start_soon
u | u_one_error | why does a check fail? | says ConnectionError
u | u_no_await | what is wrong here? | says without `await`
t | - | NotImplementedError | says placeholder
t | - | I'm getting a notimplementederror for timer | says placeholder
t | - | what does RuntimeWarning: coroutine 'sleep' was never awaited mean? | topic coroutine was never awaited
t | - | TypeError: Trio was expecting an async function, but instead it got a coroutine object | says separately
t | - | AttributeError: module 'trio' has no attribute 'open_nursary' | says AttributeError
t | - | SyntaxError: invalid syntax | topic SyntaxError
t | - | i get IndentationError: expected an indented block | topic IndentationError
t | - | NameError: name 'trio' is not defined | says missing `import trio`
u | - | KeyError: 2 | topic KeyError
u | - | UserNotFound: no user 2 | says UserNotFound
u | - | what is an ExceptionGroup | says ExceptionGroup
"""


def rows() -> list[tuple[str, str, str, str]]:
    """(pack, program, question, expectation) of every row."""
    return [
        (parts[0], parts[1], parts[2], parts[3])
        for line in QUESTIONS.strip().splitlines()
        if len(parts := [part.strip() for part in line.split(" | ")]) == 4
    ]
