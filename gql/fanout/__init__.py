"""One execution for many: an event of a shared subscription is carried out and written down once for all who follow it.

`sharing` says how a field declares that it may be shared, `nobody` what such an execution can reach, `groups` who is
followed by whom and `group` hands out, `outlet` what a socket is sent and what becomes of it where the client is too
slow, `line` and `texts` how that gets to the server, and `places` how many sockets and operations somebody may have.
Streams of server-sent events go by `waited` where no connection is kept for them, look as `events` has it, and show
signs of life by `heartbeats`.
"""
