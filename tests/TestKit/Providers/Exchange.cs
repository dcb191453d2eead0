using Microsoft.AspNetCore.Http;

namespace Gateway.TestKit.Providers;

/// <summary>One request and the connection it came on.</summary>
/// <param name="context">The server's own view, for what a script cannot say.</param>
/// <param name="request">What arrived.</param>
/// <param name="ended">Cancelled when the caller leaves or the provider is disposed.</param>
public sealed class Exchange(HttpContext context, ReceivedRequest request, CancellationToken ended)
{
    private volatile bool isCut;

    public HttpContext Context => context;

    public ReceivedRequest Request => request;

    public CancellationToken Ended => ended;

    /// <summary>Aborts the connection from this side.</summary>
    public void Cut()
    {
        isCut = true;
        context.Abort();
    }

    /// <summary>Sends a scripted reply, step by step.</summary>
    public async Task Send(Reply reply)
    {
        if (reply.IsAborted)
        {
            Cut();
            return;
        }

        if (reply.HeadGate is not null)
        {
            await reply.HeadGate.WaitAsync(ended);
        }

        var response = context.Response;
        response.StatusCode = reply.Status;
        foreach (var (name, value) in reply.Headers)
        {
            response.Headers.Append(name, value);
        }

        if (reply.DeclaresLength)
        {
            response.ContentLength = reply.Steps.OfType<ReplyStep.Write>().Sum(step => (long)step.Bytes.Length);
        }

        await response.StartAsync(ended);
        await response.BodyWriter.FlushAsync(ended);
        foreach (var step in reply.Steps)
        {
            switch (step)
            {
                case ReplyStep.Write write:
                    await response.BodyWriter.WriteAsync(write.Bytes, ended);
                    break;
                case ReplyStep.Wait wait:
                    await wait.Gate.WaitAsync(ended);
                    break;
                default:
                    Cut();
                    return;
            }
        }
    }

    internal void ClientLeft()
    {
        if (!isCut)
        {
            request.ClientLeft();
        }
    }
}
