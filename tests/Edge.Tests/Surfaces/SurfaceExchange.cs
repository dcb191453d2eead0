using System.Text;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Microsoft.AspNetCore.Http;

namespace Gateway.Edge.Tests.Surfaces;

/// <summary>A request of a surface's client on its way, as far as its answer hangs on it.</summary>
internal sealed class SurfaceExchange : IDisposable
{
    public SurfaceExchange(IChatSurface? surface, string request, long began = 0)
    {
        var body = Encoding.UTF8.GetBytes(request);
        Value = new RequestExchange(new DefaultHttpContext(), DateTimeOffset.UnixEpoch, began, 0, new ChatOperation(null!, null!, null!), surface, null)
        {
            Body = RequestBody.Of(body),
            Grant = new ModelGrant(null!, null!, Granted: true, new CostExpectation()),
        };
        Assert.Null(surface is null ? RequestHead.TryRead(body, out Value.Head) : surface.ReadHead(body, out Value.Head));
    }

    public RequestExchange Value { get; }

    public void Dispose() => Value.Dispose();
}
