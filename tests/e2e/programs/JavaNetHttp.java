// SPDX-License-Identifier: Apache-2.0
// java.net.http.HttpClient. Arguments: see plan() in
// tests/support/coverage.py.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

public class JavaNetHttp {
	static String base, method, path, body, file;
	static String[] sizes = {};
	static HttpClient client = HttpClient.newBuilder()
		.version(HttpClient.Version.HTTP_1_1)
		.followRedirects(HttpClient.Redirect.NORMAL).build();

	static int sizeOf(int number)
	{
		return sizes.length == 0 ? -1 :
			Integer.parseInt(sizes[number % sizes.length]);
	}

	static BodyPublisher content(int size) throws Exception
	{
		if (size == 0)
			return BodyPublishers.noBody();
		if (size > 0)
			return BodyPublishers.ofByteArray(Files.readAllBytes(
				Path.of(file)), 0, size);
		switch (body) {
		case "none":
			return BodyPublishers.noBody();
		case "small":
			return BodyPublishers.ofString("hello world!");
		case "chunked":
			byte[] data = Files.readAllBytes(Path.of(file));

			return BodyPublishers.ofInputStream(() ->
				new java.io.ByteArrayInputStream(data));
		default:
			return BodyPublishers.ofFile(Path.of(file));
		}
	}

	static String describe(String target, HttpResponse<byte[]> response)
	{
		try {
			byte[] data = response.body();
			byte[] sum = MessageDigest.getInstance("SHA-256")
				.digest(data);

			return String.format("%s %d %d %02x%02x%02x", target,
				response.statusCode(), data.length, sum[0],
				sum[1], sum[2]);
		} catch (Exception error) {
			return "error " + error;
		}
	}

	static CompletableFuture<String> one(String target, int number)
		throws Exception
	{
		int size = sizeOf(number);
		HttpRequest request = HttpRequest.newBuilder()
			.uri(URI.create(base + target))
			.header("User-Agent", "client")
			.expectContinue(body.equals("expect"))
			.method(size == 0 ? "GET" : method, content(size)).build();

		return client.sendAsync(request, BodyHandlers.ofByteArray())
			.thenApply(response -> describe(target, response))
			.exceptionally(error -> target + " error " +
				error.getCause().getClass().getSimpleName());
	}

	public static void main(String[] arguments) throws Exception
	{
		base = arguments[0];
		method = arguments[1];
		path = arguments[2];
		body = arguments[3];
		int count = Integer.parseInt(arguments[4]);
		boolean parallel = arguments[5].equals("parallel");
		file = arguments[6];
		if (body.startsWith("sizes="))
			sizes = body.substring(6).split(",");
		List<CompletableFuture<String>> answers = new ArrayList<>();

		for (int i = 0; i < count; i++) {
			String target = count > 1 ? path + "?i=" + i : path;

			answers.add(one(target, i));
			if (!parallel)
				answers.get(i).join();
		}
		for (CompletableFuture<String> answer : answers)
			System.out.println(answer.get());
	}
}
