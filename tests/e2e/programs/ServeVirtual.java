// SPDX-License-Identifier: Apache-2.0
// ServeVirtual.java PORT BACK: /N asks BACK one to three times for /call/I/N,
// and answers with N, each request on a virtual thread.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.Executors;

public class ServeVirtual {
    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(
            new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 128);
        server.createContext("/", exchange -> {
            int number = Integer.parseInt(
                exchange.getRequestURI().getPath().substring(1));
            byte[] body = null;
            for (int i = 0; i <= number % 3; i++)
                try (var in = URI.create(args[1] + "/call/" + i + "/" + number)
                                  .toURL().openStream()) {
                    body = in.readAllBytes();
                }
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }
}
