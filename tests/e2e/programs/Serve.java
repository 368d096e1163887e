// SPDX-License-Identifier: Apache-2.0
// Serve.java PORT BACK: /N asks BACK for /call/N, and answers with N.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.concurrent.Executors;

public class Serve {
    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(
            new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 128);
        server.createContext("/", exchange -> {
            byte[] body;
            try (var in = URI.create(args[1] + "/call"
                                     + exchange.getRequestURI().getPath())
                              .toURL().openStream()) {
                body = in.readAllBytes();
            }
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
    }
}
