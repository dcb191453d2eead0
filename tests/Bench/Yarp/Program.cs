using System.Net;
using Yarp.ReverseProxy.Forwarder;

// YarpPeer --urls http://127.0.0.1:PORT --upstream http://127.0.0.1:PORT
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.Limits.MaxRequestBodySize = null;
    kestrel.AddServerHeader = false;
});
builder.Services.AddHttpForwarder();

var app = builder.Build();
var upstream = app.Configuration["upstream"] ?? throw new InvalidOperationException("--upstream is missing");
var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
using var client = new HttpMessageInvoker(new SocketsHttpHandler
{
    UseProxy = false,
    AllowAutoRedirect = false,
    AutomaticDecompression = DecompressionMethods.None,
    UseCookies = false,
    EnableMultipleHttp2Connections = true,
    ActivityHeadersPropagator = null,
    ConnectTimeout = TimeSpan.FromSeconds(15),
});
var settings = new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromMinutes(10) };
app.Map("/{**path}", async (HttpContext context) => { await forwarder.SendAsync(context, upstream, client, settings, HttpTransformer.Default); });
app.Run();
