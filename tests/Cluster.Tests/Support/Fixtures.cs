[assembly: AssemblyFixture(typeof(Resources.Tests.TestPostgres))]
