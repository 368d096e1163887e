// SPDX-License-Identifier: Apache-2.0
// java.net.HttpURLConnection. Arguments: see plan() in
// tests/support/coverage.py.
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class HttpUrl {
	static String base, method, path, body, file;
	static String[] sizes = {};

	static byte[] content() throws Exception
	{
		if (body.equals("small"))
			return "hello world!".getBytes();
		return Files.readAllBytes(Path.of(file));
	}

	static void send(HttpURLConnection connection, int number)
		throws Exception
	{
		if (body.equals("none"))
			return;
		byte[] data = content();

		if (sizes.length > 0)
			data = Arrays.copyOf(data, Integer.parseInt(
				sizes[number % sizes.length]));
		if (data.length == 0) {
			connection.setRequestMethod("GET");
			return;
		}

		connection.setDoOutput(true);
		if (body.equals("chunked"))
			connection.setChunkedStreamingMode(60000);
		else
			connection.setFixedLengthStreamingMode(data.length);
		if (body.equals("expect"))
			connection.setRequestProperty("Expect", "100-continue");
		try (OutputStream out = connection.getOutputStream()) {
			out.write(data);
		}
	}

	static String one(String target, int number)
	{
		try {
			URL url = new URL(base + target);
			HttpURLConnection connection =
				(HttpURLConnection)url.openConnection();

			connection.setRequestMethod(method);
			connection.setRequestProperty("User-Agent", "client");
			send(connection, number);
			int status = connection.getResponseCode();
			InputStream in = status >= 400 ?
				connection.getErrorStream() :
				connection.getInputStream();
			byte[] data = in == null ? new byte[0] :
				in.readAllBytes();
			byte[] sum = MessageDigest.getInstance("SHA-256")
				.digest(data);

			return String.format("%s %d %d %02x%02x%02x", target,
				status, data.length, sum[0], sum[1], sum[2]);
		} catch (Exception error) {
			return target + " error " + error.getClass().getSimpleName();
		}
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
		ExecutorService pool =
			Executors.newFixedThreadPool(parallel ? 8 : 1);
		List<Future<String>> answers = new ArrayList<>();

		for (int i = 0; i < count; i++) {
			String target = count > 1 ? path + "?i=" + i : path;
			int number = i;

			answers.add(pool.submit(() -> one(target, number)));
		}
		for (Future<String> answer : answers)
			System.out.println(answer.get());
		pool.shutdown();
	}
}
