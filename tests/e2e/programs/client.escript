%% SPDX-License-Identifier: Apache-2.0
%% inets' httpc. Arguments: see plan() in tests/support/coverage.py.
-module(client).
-mode(compile).
-export([main/1]).

main([Base, Method, Path, Body, Count, Mode, File]) ->
	{ok, _} = application:ensure_all_started(inets),
	ok = httpc:set_options([{max_sessions, 8}, {max_keep_alive_length, 5}]),
	Paths = paths(Path, list_to_integer(Count)),
	One = fun(P) -> one(Base, list_to_atom(string:lowercase(Method)), P,
		Body, File) end,
	Lines = case Mode of
		"parallel" -> parallel(One, Paths);
		_ -> lists:map(One, Paths)
	end,
	lists:foreach(fun(L) -> io:format("~s~n", [L]) end, Lines).

paths(Path, 1) -> [Path];
paths(Path, Count) ->
	[Path ++ "?i=" ++ integer_to_list(I) || I <- lists:seq(0, Count - 1)].

parallel(One, Paths) ->
	Self = self(),
	Pids = [spawn(fun() -> Self ! {self(), One(P)} end) || P <- Paths],
	[receive {Pid, Line} -> Line end || Pid <- Pids].

one(Base, Method, Path, Body, File) ->
	Url = Base ++ Path,
	Headers = [{"User-Agent", "client"}] ++ case Body of
		"expect" -> [{"Expect", "100-continue"}];
		_ -> []
	end,
	Request = case content(Body, File) of
		none -> {Url, Headers};
		Content -> {Url, Headers, "text/plain", Content}
	end,
	case httpc:request(Method, Request, [{timeout, 50000}],
			[{body_format, binary}]) of
	{ok, {{_, Status, _}, _, Data}} ->
		io_lib:format("~s ~p ~p", [Path, Status, byte_size(Data)]);
	{error, Reason} ->
		io_lib:format("error ~p", [reason(Reason)])
	end.

reason(Reason) when is_tuple(Reason) -> element(1, Reason);
reason(Reason) -> Reason.

content("none", _) -> none;
content("small", _) -> <<"hello world!">>;
content("chunked", File) ->
	{ok, Data} = file:read_file(File),
	{chunkify, fun piece/1, Data};
content(_, File) ->
	{ok, Data} = file:read_file(File),
	Data.

piece(<<>>) -> eof;
piece(<<Piece:60000/binary, Rest/binary>>) -> {ok, Piece, Rest};
piece(Rest) -> {ok, Rest, <<>>}.
