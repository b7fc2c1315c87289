using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace Resources.Api;

/// <summary>
/// The body of a request, which says when it has to be waited for. One that is here already, as those that come with the
/// headers are, is read as if this were not there.
/// </summary>
sealed class ArrivingBody(HttpContext context, PipeReader body, Arrivals arrivals) : PipeReader, IRequestBodyPipeFeature
{
    /// <summary>What was read last, and still lies here unless the reader has consumed it.</summary>
    long seen;

    /// <summary>How many bytes are counted.</summary>
    long held;

    bool waits;

    public PipeReader Reader => this;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = body.ReadAsync(cancellationToken);
        if (waits || !read.IsCompletedSuccessfully)
            return WaitAsync(read);
        var result = read.Result;
        seen = result.Buffer.Length;
        return new(result);
    }

    public override bool TryRead(out ReadResult result) => body.TryRead(out result);

    public override void AdvanceTo(SequencePosition consumed) => body.AdvanceTo(consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        body.AdvanceTo(consumed, examined);

    public override void CancelPendingRead() => body.CancelPendingRead();

    public override void Complete(Exception? exception = null) => body.Complete(exception);

    /// <summary>The request is over: what it held is free.</summary>
    public void Forget()
    {
        if (held > 0)
            arrivals.Release(context, held);
        held = 0;
    }

    async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read)
    {
        if (!waits)
        {
            waits = true;
            Overload.Waits(context);
            Hold(seen);
        }
        var result = await read;
        if (result.IsCompleted)
        {
            Forget();
            waits = false;
            arrivals.GoesOn(context);
        }
        else
            Hold(result.Buffer.Length);
        return result;
    }

    void Hold(long length)
    {
        if (length == held)
            return;
        if (length < held)
            arrivals.Release(context, held - length);
        else if (!arrivals.TryHold(context, length - held))
        {
            // The rest is not waited for.
            context.Response.Headers.Connection = "close";
            throw new ProblemException(
                ProblemType.Overloaded,
                "Too many bodies are arriving here, or from your network. Try again in a moment."
            );
        }
        held = length;
    }
}
