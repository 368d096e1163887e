# SPDX-License-Identifier: Apache-2.0
# HTTP::Tiny. Arguments: see plan() in tests/support/coverage.py.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use HTTP::Tiny;

my ($base, $method, $path, $body, $count, $mode, $file) = @ARGV;
my $agent = HTTP::Tiny->new(agent => "client", timeout => 50);

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
	my ($target) = @_;
	my %options = $body eq "none" ? () : (content => content());
	my $response = $agent->request($method, $base . $target, \%options);
	my $data = $response->{content};

	if ($response->{status} == 599) {
		$data =~ s/:? .*//s;
		print("error $data\n");
		return;
	}
	printf("%s %d %d %s\n", $target, $response->{status}, length($data),
		sha256_hex($data));
}

if ($count > 1) {
	one("$path?i=$_") for 0 .. $count - 1;
} else {
	one($path);
}
