# SPDX-License-Identifier: Apache-2.0
# HTTP::Tiny. Arguments: see plan() in tests/support/coverage.py.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use HTTP::Tiny;

my ($base, $method, $path, $body, $count, $mode, $file) = @ARGV;
my $agent = HTTP::Tiny->new(agent => "client", timeout => 50);

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
	return sub {
		my $got = read($in, my $piece, 60000);
		return $got ? $piece : undef;
	} if $body eq "chunked";
	local $/;
	return scalar <$in>;
}

sub one
{
	my ($target, $number) = @_;
	my $size = @sizes ? $sizes[$number % @sizes] : 0;
	my $verb = @sizes && !$size ? "GET" : $method;
	my %options = $body eq "none" || @sizes ? () :
		(content => content());
	$options{content} = sized($size) if $size;
	my $response = $agent->request($verb, $base . $target, \%options);
	my $data = $response->{content};

	if ($response->{status} == 599) {
		$data =~ s/:? .*//s;
		print("$target error $data\n");
		return;
	}
	printf("%s %d %d %s\n", $target, $response->{status}, length($data),
		sha256_hex($data));
}

if ($count > 1) {
	one("$path?i=$_", $_) for 0 .. $count - 1;
} else {
	one($path, 0);
}
