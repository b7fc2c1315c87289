using System.Diagnostics;

namespace Resources.Api;

/// <summary>A line of the log for each request, where <c>Logging__Requests</c> asks for it.</summary>
public static class RequestLog
{
    public static void UseRequestLog(this WebApplication app)
    {
        if (!app.Configuration.GetValue<bool>("Logging:Requests"))
            return;
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Resources.Api.Requests");
        app.Use(
            async (context, next) =>
            {
                var started = Stopwatch.GetTimestamp();
                try
                {
                    await next(context);
                }
                finally
                {
                    // Without the query, which may say what was searched for.
                    logger.LogInformation(
                        "{Method} {Path} {Status} in {Milliseconds:F1} ms, caller {Caller}, request {RequestId}",
                        context.Request.Method,
                        context.Request.Path.Value,
                        context.Response.StatusCode,
                        Stopwatch.GetElapsedTime(started).TotalMilliseconds,
                        context.User.Identity is { IsAuthenticated: true } ? context.CallerId() : "guest",
                        context.TraceIdentifier
                    );
                }
            }
        );
    }
}
