using Microsoft.AspNetCore.OpenApi;
using Scalar.AspNetCore;

namespace Resources.Api;

/// <summary>The OpenAPI document, the API reference made of it, and the published list of problems.</summary>
public static class ApiDescription
{
    public static void AddApiDescription(this IServiceCollection services) => services.AddOpenApi("v1");

    public static void MapApiDescription(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous().TakesHead();
        app.MapScalarApiReference("/docs").AllowAnonymous().TakesHead();
        app.MapRead("/problems", (HttpContext context) => Answers.WriteAsync<IReadOnlyList<ProblemType>>(context, ProblemType.All, WireJson.Default.IReadOnlyListProblemType, "application/json"))
            .AllowAnonymous().ExcludeFromDescription();
    }
}
