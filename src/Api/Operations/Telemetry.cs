using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// Metrics for Prometheus always; traces, metrics and logs by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says where.
/// </summary>
public static class Telemetry
{
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var exports = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService(
                    "resources",
                    serviceInstanceId: Environment.MachineName + ":" + Environment.ProcessId
                )
            )
            .WithMetrics(metrics =>
                metrics
                    .AddMeter(
                        "Microsoft.AspNetCore.Hosting",
                        "Microsoft.AspNetCore.Server.Kestrel",
                        "Microsoft.Orleans",
                        "Npgsql",
                        "Marten",
                        EventLog.Activities.Name,
                        Followers.Meter.Name
                    )
                    .AddRuntimeInstrumentation()
                    .AddPrometheusExporter()
            );
        if (!exports)
            return;
        telemetry
            .WithTracing(tracing =>
                tracing
                    .AddAspNetCoreInstrumentation()
                    .AddNpgsql()
                    .AddSource(
                        "Microsoft.Orleans.Application",
                        "Microsoft.Orleans.Runtime",
                        "Marten",
                        EventLog.Activities.Name
                    )
                    .AddOtlpExporter()
            )
            .WithMetrics(metrics => metrics.AddOtlpExporter())
            .WithLogging(logging => OpenTelemetry.Logs.OtlpLogExporterHelperExtensions.AddOtlpExporter(logging));
    }

    public static void MapMetrics(this IEndpointRouteBuilder app) =>
        app.MapPrometheusScrapingEndpoint("/metrics").AllowAnonymous().WithMetadata(new Unlimited());
}
