%% SPDX-License-Identifier: Apache-2.0
%% inets' httpc. Arguments: see plan() in tests/support/coverage.py.
-module(client).
-mode(compile).
-export([main/1]).

main([Base, Method, Path, Body, Count, Mode, File]) ->
	{ok, _} = application:ensure_all_started(inets),
	ok = httpc:set_options([{max_sessions, 8}, {max_keep_alive_length, 5}]),
	Paths = paths(Path, list_to_integer(Count)),
	Verb = list_to_atom(string:lowercase(Method)),
	One = fun(P) -> one(Base, Verb, P, Body, File) end,
	Lines = case {Mode, Body} of
		{"parallel", _} -> parallel(One, Paths);
		{_, "sizes=" ++ Sizes} ->
			sized(Base, Verb, Paths, sizes(Sizes), [], File);
		_ -> lists:map(One, Paths)
	end,
	lists:foreach(fun(L) -> io:format("~s~n", [L]) end, Lines).

sizes(Text) ->
	[list_to_integer(S) || S <- string:split(Text, ",", all)].

%% A request for each path, with the next size each; 0 is a GET.
sized(_, _, [], _, _, _) -> [];
sized(Base, Verb, Paths, [], Used, File) ->
	sized(Base, Verb, Paths, lists:reverse(Used), [], File);
sized(Base, Verb, [Path | Paths], [Size | Sizes], Used, File) ->
	Line = case Size of
		0 -> one(Base, get, Path, "none", File);
		_ -> one(Base, Verb, Path, Size, File)
	end,
	[Line | sized(Base, Verb, Paths, Sizes, [Size | Used], File)].

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
		io_lib:format("~s error ~p", [Path, reason(Reason)])
	end.

reason(Reason) when is_tuple(Reason) -> element(1, Reason);
reason(Reason) -> Reason.

content("none", _) -> none;
content(Size, File) when is_integer(Size) ->
	{ok, Data} = file:read_file(File),
	binary:part(Data, 0, Size);
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
