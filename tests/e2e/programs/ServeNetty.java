// SPDX-License-Identifier: Apache-2.0
// ServeNetty.java PORT BACK_PORT: /N asks one to three times for /call/I/N on
// the event loop that read it, and answers with N.
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.*;

public class ServeNetty {
    static int back;

    static void call(ChannelHandlerContext served, int number, int nth) {
        new Bootstrap().group(served.channel().eventLoop())
            .channel(NioSocketChannel.class)
            .handler(new ChannelInitializer<Channel>() {
                @Override protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new HttpClientCodec(),
                        new HttpObjectAggregator(65536),
                        new SimpleChannelInboundHandler<FullHttpResponse>() {
                            @Override protected void channelRead0(
                                ChannelHandlerContext context,
                                FullHttpResponse answer) {
                                context.close();
                                if (nth < number % 3)
                                    call(served, number, nth + 1);
                                else
                                    answer(served, number);
                            }
                        });
                }
            }).connect("127.0.0.1", back).addListener(connected -> {
                var request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1,
                    HttpMethod.GET, "/call/" + nth + "/" + number);
                request.headers().set("Host", "127.0.0.1:" + back);
                ((io.netty.channel.ChannelFuture) connected).channel()
                    .writeAndFlush(request);
            });
    }

    static void answer(ChannelHandlerContext served, int number) {
        var body = Unpooled.wrappedBuffer(("" + number).getBytes());
        var answer = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1,
            HttpResponseStatus.OK, body);
        answer.headers().set("Content-Length", body.readableBytes());
        served.writeAndFlush(answer);
    }

    public static void main(String[] args) throws Exception {
        back = Integer.parseInt(args[1]);
        new ServerBootstrap()
            .group(new NioEventLoopGroup(1), new NioEventLoopGroup(2))
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 128)
            .childHandler(new ChannelInitializer<Channel>() {
                @Override protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new HttpServerCodec(),
                        new HttpObjectAggregator(65536),
                        new SimpleChannelInboundHandler<FullHttpRequest>() {
                            @Override protected void channelRead0(
                                ChannelHandlerContext served,
                                FullHttpRequest request) {
                                call(served, Integer.parseInt(
                                    request.uri().substring(1)), 0);
                            }
                        });
                }
            }).bind("127.0.0.1", Integer.parseInt(args[0])).sync();
    }
}
