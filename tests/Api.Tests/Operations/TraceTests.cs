using System.Collections.Concurrent;
using System.Diagnostics;

namespace Resources.Api.Tests;

public sealed class TraceTests(Backend backend)
{
    [Fact]
    public async Task One_trace_spans_request_grain_commit_and_event()
    {
        var trace = ActivityTraceId.CreateRandom();
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);

        var created = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            """{"name":"traced"}""",
            headers: ("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01")
        );

        Assert.Equal(201, created.Status);
        Activity[] OfTrace(string source) =>
            [.. spans.Where(span => span.Source.Name == source && span.TraceId == trace)];
        Assert.True(SpinWait.SpinUntil(() => OfTrace("Microsoft.AspNetCore") is not [], TimeSpan.FromSeconds(10)));
        var append = Assert.Single(OfTrace("Resources.EventLog"));
        Assert.Contains(OfTrace("Microsoft.Orleans.Application"), span => span.SpanId == append.ParentSpanId);
        Assert.Equal(created.Text("/meta/position"), append.GetTagItem("resources.position")?.ToString());
        var history = await backend.Admin.SendAsync("GET", $"/api/v1/resources/{created.Text("/data/id")}/events");
        Assert.Equal(trace.ToString(), history.Text("/data/0/correlationid"));
    }
}
