# SPDX-License-Identifier: Apache-2.0
# LWP. Arguments: see plan() in tests/support/coverage.py.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use HTTP::Request;
use LWP::UserAgent;

my ($base, $method, $path, $body, $count, $mode, $file) = @ARGV;
my $agent = LWP::UserAgent->new(agent => "client", keep_alive => 1,
	timeout => 50);

my @sizes = $body =~ /^sizes=(.*)/ ? split(/,/, $1) : ();

sub sized
{
	my ($size) = @_;
	open(my $in, "<:raw", $file) or die "$file: $!";
	read($in, my $data, $size);
	return $data;
}

sub content
{
	return "hello world!" if $body eq "small";
	open(my $in, "<:raw", $file) or die "$file: $!";
	local $/;
	return scalar <$in>;
}

sub pieces
{
	open(my $in, "<:raw", $file) or die "$file: $!";
	return sub {
		my $got = read($in, my $piece, 60000);
		return $got ? $piece : "";
	};
}

sub one
{
	my ($target, $number) = @_;
	my $size = @sizes ? $sizes[$number % @sizes] : 0;
	my $verb = @sizes && !$size ? "GET" : $method;
	my $request = HTTP::Request->new($verb, $base . $target);

	if (@sizes) {
		$request->content(sized($size)) if $size;
	} elsif ($body eq "chunked") {
		$request->content(pieces());
	} elsif ($body ne "none") {
		$request->content(content());
	}
	$request->header(Expect => "100-continue") if $body eq "expect";
	my $response = $agent->request($request);
	my $data = $response->content;
	my $error = $response->header("Client-Warning") ||
		$response->header("X-Died") ||
		$response->header("Client-Aborted") || "";

	$error =~ s/ at .*//s;
	printf("%s %d %s %s\n", $target, $response->code,
		$error ? "error" : length($data) . " " . sha256_hex($data),
		$error);
}

if ($count > 1) {
	one("$path?i=$_", $_) for 0 .. $count - 1;
} else {
	one($path, 0);
}
